/* A device for tests: a plugin of ONNX Runtime that says that it is a GPU and leaves every operator to the processor.
   It is there to fail. While the file LOST_FILE exists each run of a session on it ends in an error, as on a device that has fallen off its bus. */
#include <onnxruntime_c_api.h>
#include <unistd.h>

#define NAME "StandInCudaExecutionProvider"

static const OrtApi *api;
static OrtHardwareDevice *hardware;

static const char *name_of_ep(const OrtEp *ep) { (void)ep; return NAME; }

static OrtStatus *take_no_node(OrtEp *ep, const OrtGraph *graph, OrtEpGraphSupportInfo *support) { (void)ep; (void)graph; (void)support; return NULL; }

static OrtStatus *compile_none(OrtEp *ep, const OrtGraph **graphs, const OrtNode **fused, size_t count, OrtNodeComputeInfo **infos, OrtNode **contexts) {
  (void)ep; (void)graphs; (void)fused; (void)count; (void)infos; (void)contexts;
  return NULL;
}

static void release_none(OrtEp *ep, OrtNodeComputeInfo **infos, size_t count) { (void)ep; (void)infos; (void)count; }

static OrtStatus *start_run(OrtEp *ep, const OrtRunOptions *options) {
  (void)ep; (void)options;
  return access(LOST_FILE, F_OK) == 0 ? api->CreateStatus(ORT_EP_FAIL, "the device is lost") : NULL;
}

static OrtEp ep = {
  .ort_version_supported = ORT_API_VERSION,
  .GetName = name_of_ep,
  .GetCapability = take_no_node,
  .Compile = compile_none,
  .ReleaseNodeComputeInfos = release_none,
  .OnRunStart = start_run,
};

static const char *name_of_factory(const OrtEpFactory *factory) { (void)factory; return NAME; }

static const char *vendor(const OrtEpFactory *factory) { (void)factory; return "tests"; }

static uint32_t vendor_id(const OrtEpFactory *factory) { (void)factory; return 0; }

static const char *version(const OrtEpFactory *factory) { (void)factory; return "1.0.0"; }

static OrtStatus *transfer(OrtEpFactory *factory, OrtDataTransferImpl **none) { (void)factory; *none = NULL; return NULL; }

static bool has_streams(const OrtEpFactory *factory) { (void)factory; return false; }

static OrtStatus *devices(OrtEpFactory *factory, const OrtHardwareDevice *const *found, size_t count, OrtEpDevice **taken, size_t most, size_t *number) {
  (void)found; (void)count; (void)most;
  const OrtEpApi *epApi = api->GetEpApi();
  OrtStatus *failure = epApi->CreateHardwareDevice(OrtHardwareDeviceType_GPU, 0, 0, "tests", NULL, &hardware);
  if (failure == NULL) failure = epApi->CreateEpDevice(factory, hardware, NULL, NULL, &taken[0]);
  *number = failure == NULL;
  return failure;
}

/* It keeps nothing of a session, so that one serves all of them. */
static OrtStatus *make(OrtEpFactory *factory, const OrtHardwareDevice *const *of, const OrtKeyValuePairs *const *pairs, size_t count, const OrtSessionOptions *options, const OrtLogger *logger, OrtEp **made) {
  (void)factory; (void)of; (void)pairs; (void)count; (void)options; (void)logger;
  *made = &ep;
  return NULL;
}

static void release(OrtEpFactory *factory, OrtEp *released) { (void)factory; (void)released; }

static OrtEpFactory factory = {
  .ort_version_supported = ORT_API_VERSION,
  .GetName = name_of_factory,
  .GetVendor = vendor,
  .GetVendorId = vendor_id,
  .GetVersion = version,
  .GetSupportedDevices = devices,
  .CreateEp = make,
  .ReleaseEp = release,
  .CreateDataTransfer = transfer,
  .IsStreamAware = has_streams,
};

OrtStatus *CreateEpFactories(const char *registered, const OrtApiBase *base, const OrtLogger *logger, OrtEpFactory **factories, size_t most, size_t *number) {
  (void)registered; (void)logger; (void)most;
  api = base->GetApi(ORT_API_VERSION);
  factories[0] = &factory;
  *number = 1;
  return NULL;
}

OrtStatus *ReleaseEpFactory(OrtEpFactory *released) {
  (void)released;
  api->GetEpApi()->ReleaseHardwareDevice(hardware);
  return NULL;
}
