"""What `bench/queue.py` measures beside one another: our queue and four others."""
