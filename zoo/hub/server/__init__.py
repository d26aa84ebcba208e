"""hub/server"""
