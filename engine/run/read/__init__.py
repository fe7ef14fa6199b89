"""How an asset is read: `view` joins its owners, `ranks` and `pages` find some records, `reader` answers for all."""
