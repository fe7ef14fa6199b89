"""How an asset is computed: what is called on which records, what becomes of the answers, and committing them."""
