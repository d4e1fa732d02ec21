/* What the library lets programs see. */
#ifndef CONDUIT_EXPORTS_H
#define CONDUIT_EXPORTS_H

#define CONDUIT_API __attribute__((visibility("default")))
#define CONDUIT_BLUEPRINT_API CONDUIT_API

#endif
