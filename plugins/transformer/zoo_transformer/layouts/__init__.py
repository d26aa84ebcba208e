"""How other libraries store the models here: data, a file for each architecture."""
