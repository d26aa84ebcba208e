"""How other libraries store models of sound."""
