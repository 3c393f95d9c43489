"""The tests of the two roles are the interface tester's to run; see test_collection.py."""

collect_ignore = ["test_provider.py", "test_requirer.py"]
