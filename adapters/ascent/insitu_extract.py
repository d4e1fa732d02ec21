# insitu as a Python extract of Ascent:
#
#   - action: "add_extracts"
#     extracts: {insitu: {type: "python", params: {file: "insitu_extract.py"}}}
#
# The run file is insitu.yaml beside this script or in the working directory, or INSITU_CONFIG.
#
# Ascent runs this in __main__, in a Python simulation among the simulation's own names: hence no
# docstring and no imports out here, and the one name is taken away again. Nothing may be raised.


def _insitu_extract():
    try:
        from insitu.ascent import extract
    except Exception as error:
        import os
        import sys

        ranks = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
        rank = next((os.environ[name] for name in ranks if name in os.environ), "0")
        if rank == "0" and not hasattr(sys, "insitu_told"):  # once: it runs at every step
            sys.insitu_told = True
            print(
                f"insitu: nothing will be recorded: it cannot be imported ({error}); "
                "`insitu ascent-extract --check` says what this Ascent's Python needs",
                file=sys.stderr,
            )
        return
    extract.execute(globals())


_insitu_extract()
del _insitu_extract
