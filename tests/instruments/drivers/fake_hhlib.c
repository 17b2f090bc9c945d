/* The same for PicoQuant's HHLib: other names, a zero cross level, a size given to ReadFiFo, a calibration before use. */
#include "fake_mhlib.c"

static int calibrated;

int HH_OpenDevice(int d, char *serial) { return MH_OpenDevice(d, serial); }
int HH_CloseDevice(int d) { return 0; }
int HH_Initialize(int d, int mode, int clock) { return MH_Initialize(d, mode, clock); }
int HH_Calibrate(int d) { calibrated = 1; return 0; }
int HH_GetHardwareInfo(int d, char *m, char *p, char *v) { strcpy(m, "HydraHarp 400"); strcpy(p, "930010"); strcpy(v, "2.0"); return 0; }
int HH_GetNumOfInputChannels(int d, int *n) { return MH_GetNumOfInputChannels(d, n); }
int HH_GetBaseResolution(int d, double *r, int *steps) { return MH_GetBaseResolution(d, r, steps); }
int HH_SetInputCFD(int d, int c, int level, int zero) { return level < 0 || level > 1000 || zero < 0 || zero > 40 ? -301 : 0; }
int HH_SetInputChannelOffset(int d, int c, int v) { return 0; }
int HH_GetCountRate(int d, int c, int *r) { return MH_GetCountRate(d, c, r); }
int HH_GetFlags(int d, int *f) { return MH_GetFlags(d, f); }
int HH_GetErrorString(char *s, int e) { return MH_GetErrorString(s, e); }
int HH_StartMeas(int d, int ms) { return calibrated ? MH_StartMeas(d, ms) : -50; }
int HH_StopMeas(int d) { return MH_StopMeas(d); }
int HH_ReadFiFo(int d, uint32_t *b, int size, int *n) { return size < 128 ? -51 : MH_ReadFiFo(d, b, n); }
