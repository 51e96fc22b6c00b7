"""Expense claims (経費精算): what is claimed, by which rules, and the books of it."""
