"""What `import zoo` calls: each function builds a request and passes it on."""
