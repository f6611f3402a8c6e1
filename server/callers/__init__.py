"""Callers: their identity, their limits, and the audit log of their actions."""
