"""Weights on disk and in memory: config.json, safetensors, building on the meta device, strict loading."""
