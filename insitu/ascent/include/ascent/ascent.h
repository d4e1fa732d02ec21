/* Ascent's C interface, as insitu provides it: a simulation hands over its mesh, and insitu does
   what its run file and Ascent's actions ask for. */
#ifndef ASCENT_H
#define ASCENT_H

#include "ascent_config.h"
#include "ascent_functions.h"

typedef void Ascent;

#endif
