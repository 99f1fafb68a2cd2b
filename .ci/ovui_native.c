/* SPDX-FileCopyrightText: The omni_graspd authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * What lets omni.ui draw on a machine without a GPU and without a screen: a CUDA driver that has no device (ovui asks
 * for these functions when it is loaded), and a screen of any scale, from GRASPD_UI_SCALE.
 */
#include <stdlib.h>

#define NO_DEVICE(name) int name(void) { return 100; }
NO_DEVICE(cuInit)
NO_DEVICE(cuCtxCreate_v2)
NO_DEVICE(cuCtxDestroy_v2)
NO_DEVICE(cuDestroyExternalMemory)
NO_DEVICE(cuDeviceGet)
NO_DEVICE(cuExternalMemoryGetMappedBuffer)
NO_DEVICE(cuImportExternalMemory)
NO_DEVICE(cuMemcpyDtoH_v2)

static float scale(void) {
  const char *given = getenv("GRASPD_UI_SCALE");
  return given ? (float)atof(given) : 1.0f;
}

/* omni::ui::standalone::HeadlessVulkanPlatform: getDpiScale, getContentScale, getAppWindowDpiScale */
float _ZN4omni2ui10standalone22HeadlessVulkanPlatform11getDpiScaleEj(void) { return scale(); }
float _ZN4omni2ui10standalone22HeadlessVulkanPlatform15getContentScaleEj(void) { return scale(); }
float _ZN4omni2ui10standalone22HeadlessVulkanPlatform20getAppWindowDpiScaleEPv(void) { return scale(); }
