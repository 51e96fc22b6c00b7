"""How a request typed in chat is read: deterministic rules, no language model, nothing guessed."""
