"""From a log that may still grow to the bytes that each viewer gets."""
