"""Webhooks: what is sent to another server when something concerns a person."""
