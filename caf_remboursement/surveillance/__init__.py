"""Voir avant de subir : ce qui attend, ce qui se tait, ce qui manque ; et qui le dit à qui."""
