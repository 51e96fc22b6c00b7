"""Messages as mail shows them."""
