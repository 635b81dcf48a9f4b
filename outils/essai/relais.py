"""Un fil que l'on coupe : un relais TCP entre le service et un voisin. Coupé, muet, lent, ou ouvert."""

import asyncio
import threading

from outils.systeme import find_port

LENT_S = 0.05


class Relais:
    """Écoute sur `port`, et porte les octets vers un autre port de la boucle locale, selon son `etat`."""

    def __init__(self, vers: int) -> None:
        self.port, self.vers, self.etat = find_port(), vers, "ouvert"
        self.ouvertes: set[asyncio.StreamWriter] = set()
        self.boucle = asyncio.new_event_loop()
        pret = threading.Event()
        threading.Thread(target=self._servir, args=(pret,), daemon=True).start()
        pret.wait()

    def regler(self, etat: str) -> None:
        """« coupe » (tout se ferme, rien ne s'ouvre), « muet » (rien ne passe), « lent », ou « ouvert »."""
        self.etat = etat
        if etat == "coupe":
            self.boucle.call_soon_threadsafe(self._couper)

    def _servir(self, pret: threading.Event) -> None:
        asyncio.set_event_loop(self.boucle)
        self.boucle.run_until_complete(asyncio.start_server(self._relier, "127.0.0.1", self.port))
        pret.set()
        self.boucle.run_forever()

    def _couper(self) -> None:
        for ecrit in self.ouvertes:
            ecrit.transport.abort()

    async def _relier(self, lit: asyncio.StreamReader, ecrit: asyncio.StreamWriter) -> None:
        if self.etat == "coupe":
            ecrit.transport.abort()
            return
        try:
            loin_lit, loin_ecrit = await asyncio.open_connection("127.0.0.1", self.vers)
        except OSError:  # le voisin est mort : qui appelle le voit comme sans nous
            ecrit.transport.abort()
            return
        self.ouvertes |= {ecrit, loin_ecrit}
        try:
            await asyncio.gather(self._porter(lit, loin_ecrit), self._porter(loin_lit, ecrit))
        finally:
            self.ouvertes -= {ecrit, loin_ecrit}

    async def _porter(self, lit: asyncio.StreamReader, ecrit: asyncio.StreamWriter) -> None:
        try:
            while octets := await lit.read(65536):
                while self.etat == "muet":
                    await asyncio.sleep(0.05)
                if self.etat == "lent":
                    await asyncio.sleep(LENT_S)
                ecrit.write(octets)
                await ecrit.drain()
        except OSError:
            pass
        finally:
            ecrit.close()
