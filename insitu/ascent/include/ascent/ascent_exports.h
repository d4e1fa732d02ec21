/* What the library lets programs see. */
#ifndef ASCENT_EXPORTS_H
#define ASCENT_EXPORTS_H

#include <conduit_exports.h>

#define ASCENT_API CONDUIT_API

#endif
