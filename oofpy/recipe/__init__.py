"""From what a user says, as text, to observations that are ready to be fitted."""

from oofpy.recipe.recipe import Recipe as Recipe
from oofpy.recipe.texts import RecipeTexts as RecipeTexts
