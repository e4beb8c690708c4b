"""Parameters, likelihoods, solver, errors and the result of a fit."""
