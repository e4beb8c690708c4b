"""Planning an observation: how well a fit would know the surface, and which defocus serves it best."""

from oofpy.planning.noise_budget import NoiseBudget, SampleNoise, SharedTime
from oofpy.planning.observation_plan import Curve, Plan, plan_observation
from oofpy.planning.prediction import Prediction, predict
from oofpy.planning.situation import Situation

__all__ = [
    "Curve",
    "NoiseBudget",
    "Plan",
    "Prediction",
    "SampleNoise",
    "SharedTime",
    "Situation",
    "plan_observation",
    "predict",
]
