"""Tests of the adapter kit and of every adapter."""
