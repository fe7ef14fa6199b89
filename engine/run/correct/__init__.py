"""What people say of records: taken in one by one, in bulk and from files; weighed; laid over what is computed."""
