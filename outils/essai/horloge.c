/* L'horloge murale d'un processus, décalée des secondes que dit le fichier HORLOGE ; l'horloge monotone est la vraie. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long lire_le_saut(void) {
    static int fichier = -1;
    char texte[16] = "";
    const char *chemin = getenv("HORLOGE");
    if (fichier < 0 && chemin) fichier = open(chemin, O_RDONLY | O_CLOEXEC);
    if (fichier < 0 || pread(fichier, texte, sizeof texte - 1, 0) < 0) return 0;
    return atol(texte);
}

int clock_gettime(clockid_t horloge, struct timespec *instant) {
    int code = (int)syscall(SYS_clock_gettime, horloge, instant);
    if (code == 0 && (horloge == CLOCK_REALTIME || horloge == CLOCK_REALTIME_COARSE)) instant->tv_sec += lire_le_saut();
    return code;
}

int gettimeofday(struct timeval *instant, void *fuseau) {
    struct timespec lu;
    (void)fuseau;
    clock_gettime(CLOCK_REALTIME, &lu);
    instant->tv_sec = lu.tv_sec;
    instant->tv_usec = lu.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *ou) {
    struct timespec lu;
    clock_gettime(CLOCK_REALTIME, &lu);
    if (ou) *ou = lu.tv_sec;
    return lu.tv_sec;
}
