/* An ABI-level stand-in for PicoQuant's MHLib: T2 records of a known pattern, so that every tag can be predicted.
   Input k (1..4) clicks at ticks n*PERIOD + 1000*k, n = 0, 1, ...; the sync input at n*PERIOD. One call of MH_ReadFiFo
   gives everything up to the present time. "device" 1 does not exist. */
#include <stdint.h>
#include <string.h>
#include <time.h>

#define PERIOD 20000000ULL /* ticks of 5 ps: 100 us */
#define WRAP_BITS 25
#define SPACING 1000ULL

static uint64_t written, wraps;
static int running, flags, fail_reads, lost, closed, count_told, halved;
static double stalled_at;
static double t0;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* A lost device fails in every call until it is back and opened again. */
#define GONE if (lost || closed) return -8
int MH_OpenDevice(int d, char *serial) { if (d || lost) return -1; closed = 0; strcpy(serial, "1045483"); return 0; }
int MH_CloseDevice(int d) { return 0; }
int MH_Initialize(int d, int mode, int clock) { return mode == 2 ? 0 : -21; }
int MH_GetHardwareInfo(int d, char *m, char *p, char *v) { strcpy(m, "MultiHarp 150 4P"); strcpy(p, "930043"); strcpy(v, "1.0"); return 0; }
int MH_GetNumOfInputChannels(int d, int *n) { *n = 4; return 0; }
int MH_GetBaseResolution(int d, double *r, int *steps) { *r = 5.0; *steps = 1; return 0; }
int MH_SetInputEdgeTrg(int d, int c, int level, int edge) { return level < -1200 || level > 1200 ? -301 : 0; }
int MH_SetInputChannelOffset(int d, int c, int v) { return 0; }
int MH_GetCountRate(int d, int c, int *r) { *r = 10000; return 0; }
int MH_GetFlags(int d, int *f) { GONE; *f = flags; flags = 0; return 0; }
int MH_GetErrorString(char *s, int e) { strcpy(s, e == -1 ? "MH_ERROR_DEVICE_OPEN_FAIL" : "MH_ERROR"); return 0; }
int MH_StartMeas(int d, int ms) { GONE; t0 = now(); written = wraps = 0; running = 1; return 0; }
int MH_StopMeas(int d) { GONE; running = 0; return 0; }
void fake_set_flags(int f) { flags = f; }
void fake_fail_reads(int code) { fail_reads = code; }
void fake_lose(int gone) { lost = gone; if (gone) closed = 1; }
void fake_stall(int on) { stalled_at = on ? now() : 0; }
void fake_count(int n) { count_told = n; }
void fake_halve(int on) { halved = on; }

static int put(uint32_t *b, int k, uint64_t tick, uint32_t head) {
    uint64_t need = (tick >> WRAP_BITS) - wraps;
    if (need) { b[k++] = 0x80000000u | (63u << 25) | (uint32_t)need; wraps += need; }
    b[k++] = head | (uint32_t)(tick & ((1u << WRAP_BITS) - 1));
    return k;
}

int MH_ReadFiFo(int d, uint32_t *b, int *n) {
    GONE;
    if (fail_reads) return fail_reads;
    uint64_t until = running ? (uint64_t)(((stalled_at ? stalled_at : now()) - t0) * 2e11) : 0;
    int k = 0;
    for (; k < (halved ? 7 : 100000); written++) {
        uint64_t which = written % 5, tick = (written / 5) * PERIOD + which * SPACING;
        if (tick > until) break;
        k = put(b, k, tick, which ? (uint32_t)(which - 1) << 25 : 0x80000000u);
    }
    *n = count_told ? count_told : k;
    return 0;
}
