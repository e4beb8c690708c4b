"""What a session shows, one file a page. Each shows a view and asks the session for another one."""
