# find_package(Conduit): insitu's libconduit.so under the targets of conduit's own configuration.
#
# Out: conduit::conduit, conduit::conduit_mpi, the plain names of the libraries, CONDUIT_FOUND and
# CONDUIT_INCLUDE_DIRS. All paths are relative to this file.
get_filename_component(CONDUIT_INSTALL_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(CONDUIT_FOUND TRUE)
set(CONDUIT_VERSION "0.9.2")
set(CONDUIT_INCLUDE_DIRS
  "${CONDUIT_INSTALL_PREFIX}/include" "${CONDUIT_INSTALL_PREFIX}/include/conduit")
if(EXISTS "${CONDUIT_INSTALL_PREFIX}/fortran/conduit.mod")
  set(CONDUIT_FORTRAN_ENABLED TRUE)
  list(APPEND CONDUIT_INCLUDE_DIRS "${CONDUIT_INSTALL_PREFIX}/fortran")
else()
  set(CONDUIT_FORTRAN_ENABLED FALSE)
endif()
set(CONDUIT_RELAY_MPI_ENABLED TRUE)
set(CONDUIT_RELAY_HDF5_ENABLED FALSE)

foreach(_name conduit conduit_relay conduit_relay_mpi conduit_relay_mpi_io
              conduit_blueprint conduit_blueprint_mpi)
  if(NOT TARGET ${_name})
    add_library(${_name} SHARED IMPORTED)
    set_target_properties(${_name} PROPERTIES
      IMPORTED_LOCATION "${CONDUIT_INSTALL_PREFIX}/lib/libconduit.so"
      IMPORTED_SONAME "libconduit.so"
      INTERFACE_INCLUDE_DIRECTORIES "${CONDUIT_INCLUDE_DIRS}")
  endif()
endforeach()
foreach(_name conduit conduit_mpi)
  if(NOT TARGET conduit::${_name})
    add_library(conduit::${_name} INTERFACE IMPORTED)
    set_target_properties(conduit::${_name} PROPERTIES INTERFACE_LINK_LIBRARIES conduit)
  endif()
endforeach()
