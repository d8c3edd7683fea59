"""What is asked, where answers live, and how to get one."""
