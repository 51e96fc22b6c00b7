"""What a mail says: pure functions of its bytes, for a child process; no database is loaded."""
