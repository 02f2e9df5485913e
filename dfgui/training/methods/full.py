"""Full fine-tuning: every weight of the model learns."""

ORDER = 20
TITLE = "Full fine-tuning"
TELLS = "trains every weight"
LEARNS = "every weight"
LEARNING_RATE = 2e-5  # of DeepFabric's "Training Frameworks" page: a tenth of an adapter's
