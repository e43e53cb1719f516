"""How truthful the ``valid`` flags of the pose engine are: are wrong poses not valid, and good ones valid?"""
