"""What holds for every test."""

from hypothesis import settings

# A law is no stopwatch: a busy machine must not fail it.
settings.register_profile("catalogue", deadline=None)
settings.load_profile("catalogue")
