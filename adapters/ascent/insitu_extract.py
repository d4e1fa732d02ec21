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
        import sys

        print(f"insitu: cannot be imported ({error}); is it on PYTHONPATH?", file=sys.stderr)
        return
    extract.execute(globals())


_insitu_extract()
del _insitu_extract
