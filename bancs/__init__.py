"""Les bancs : des rapports de temps de processeur, à côté de leur limite et de leurs pairs."""
