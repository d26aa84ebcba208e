"""What all tests have in common, those of the core and those of the plugins."""

import hypothesis

# machines are slow at times: no test is timed, and none fails for drawing slowly
hypothesis.settings.register_profile("zoo", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("zoo")
