"""What attackers try, over the real server."""
