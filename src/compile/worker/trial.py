# ---------------------------------------------------------------------------------------------
# A worker that compiles nothing: whether the fence holds is known only where it is put up
# ---------------------------------------------------------------------------------------------
try:
    unfenced = Fence(json.loads(CONTROL.readline())).try_out()
except (ImportError, OSError, AttributeError) as error:
    unfenced = 'Python cannot put up a fence: %s' % error
print('\nkfp-gitops-trial ' + json.dumps({'unfenced': unfenced}), flush=True)
