# For makefiles, as Ascent's own: include $(ASCENT_DIR)/share/ascent/ascent_config.mk
ASCENT_DIR ?= $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
CONDUIT_DIR ?= $(ASCENT_DIR)
include $(ASCENT_DIR)/share/conduit/conduit_config.mk
ASCENT_INCLUDE_FLAGS = $(CONDUIT_INCLUDE_FLAGS) -I$(ASCENT_DIR)/include/ascent
ASCENT_LINK_RPATH = $(CONDUIT_LINK_RPATH)
ASCENT_LIB_FLAGS = -L$(ASCENT_DIR)/lib -lascent_mpi $(CONDUIT_LIB_FLAGS)
ASCENT_MPI_LIB_FLAGS = $(ASCENT_LIB_FLAGS)
