"""Comment s'écrivent les dates que nul gabarit ne met en forme : celles du bureau (réglage FORMAT_MODULE_PATH)."""
