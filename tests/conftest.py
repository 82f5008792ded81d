"""Fixtures for every folder of tests."""
