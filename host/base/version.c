#include "base/memory.h"
#include "camcl/version.h"

#ifdef CAMCL_HAVE_PNG
#define PNG true
#else
#define PNG false
#endif
#ifdef CAMCL_HAVE_JPEG
#define JPEG true
#else
#define JPEG false
#endif
#ifdef CAMCL_HAVE_WEBP
#define WEBP true
#else
#define WEBP false
#endif
#ifdef CAMCL_HAVE_EXIF
#define EXIF true
#else
#define EXIF false
#endif
#ifdef CAMCL_HAVE_ARCHIVE
#define ARCHIVE true
#else
#define ARCHIVE false
#endif
#ifdef CAMCL_HAVE_CURL
#define CURL true
#else
#define CURL false
#endif
#ifdef CAMCL_HAVE_NETTLE
#define NETTLE true
#else
#define NETTLE false
#endif
#ifdef CAMCL_HAVE_MPI
#define MPI true
#else
#define MPI false
#endif

static const camcl_library libraries[] = {
    { "libpng", "PNG pictures, CAM pictures and the report's gallery", PNG },
    { "libjpeg", "JPEG pictures", JPEG },
    { "libwebp", "WebP pictures", WEBP },
    { "libexif", "turning pictures that lie on their side as their EXIF data say", EXIF },
    { "libarchive", "reading data sets straight from archives", ARCHIVE },
    { "libcurl", "fetching data sets (camcl data fetch)", CURL },
    { "nettle", "fetching data sets, which are checked by SHA-256", NETTLE },
    { "mpi", "training by several processes, on several machines", MPI },
};

const char *camcl_version(void) { return CAMCL_VERSION; }

const camcl_library *camcl_libraries(size_t *count)
{
    *count = CC_COUNT(libraries);
    return libraries;
}
