/* An ABI-level stand-in for HighFinesse's wlmData: channel 1 shows 194.95 THz, or what plant() says. */
static double planted = 0.0;
static int count = 1;

void plant(double value) { planted = value; }
void quit(void) { count = 0; planted = -5.0; }
long GetWLMCount(long v) { return count; }
long GetWLMVersion(long which) { return which == 0 ? 8 : 4711; }
double GetFrequencyNum(long n, double f) { return n != 1 ? -10.0 : planted ? planted : 194.95; }
double GetWavelengthNum(long n, double w) { return n != 1 ? -10.0 : planted ? planted : 1537.7915772; }
double GetPowerNum(long n, double p) { return planted ? planted : 12.5; }
double GetTemperature(double t) { return planted ? planted : 23.5; }
