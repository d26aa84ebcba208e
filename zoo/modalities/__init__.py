"""What is particular to a kind of data, behind the protocols of `zoo.specs.modality`: here those of the core."""
