"""What becomes of finished sessions in time: their logs are compressed, and at last deleted."""
