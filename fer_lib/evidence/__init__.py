"""What the face world is worth: measurements that only a world with known truth allows."""
