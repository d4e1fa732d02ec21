/* What programs ask of the Ascent that they are built with. Nothing of VTK-m is in here; whether
   there is MPI is the program's own affair, since communicators come as integers. */
#ifndef ASCENT_CONFIG_H
#define ASCENT_CONFIG_H

#define ASCENT_VERSION "0.9.3"
#define ASCENT_PLATFORM_UNIX

#endif
