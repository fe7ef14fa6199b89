"""Lineage record by record, and through time: `walk` follows a record by `hops`, `steps` tells what is known of each;
`compare` and `reasons` say how versions differ and why, `restore` makes an earlier one good again."""
