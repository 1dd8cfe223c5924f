"""The APIs as their pages have them, request by request: for the simulator, and for a vendor's own server."""
