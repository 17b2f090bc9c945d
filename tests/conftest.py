"""Shared by all tests: property tests repeat the same examples and do not mind a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile("erbia", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("erbia")
