package cite

// references holds every work that a study may be asked to cite, by key. Each can be found by its DOI, its number on
// arXiv or its address.
var references = map[string]Reference{
	"cont2022convergence": {
		Type: "misc", Authors: people("Cont, Rama", "Rossier, Alain", "Xu, Renyuan"), Year: 2022, ArXiv: "2204.07261",
		Title: "Convergence and Implicit Regularization Properties of Gradient Descent for Deep Residual Networks",
	},
	"cohen2021scaling": {
		Type: "inproceedings", Authors: people("Cohen, Alain-Sam", "Cont, Rama", "Rossier, Alain", "Xu, Renyuan"), Year: 2021, ArXiv: "2105.12245",
		Title: "Scaling Properties of Deep Residual Networks", In: "International Conference on Machine Learning (ICML)",
	},
	"kingma2015adam": {
		Type: "inproceedings", Authors: people("Kingma, Diederik P.", "Ba, Jimmy"), Year: 2015, ArXiv: "1412.6980",
		Title: "Adam: A Method for Stochastic Optimization", In: "International Conference on Learning Representations (ICLR)",
	},
	"loshchilov2019decoupled": {
		Type: "inproceedings", Authors: people("Loshchilov, Ilya", "Hutter, Frank"), Year: 2019, ArXiv: "1711.05101",
		Title: "Decoupled Weight Decay Regularization", In: "International Conference on Learning Representations (ICLR)",
	},
	"loshchilov2017sgdr": {
		Type: "inproceedings", Authors: people("Loshchilov, Ilya", "Hutter, Frank"), Year: 2017, ArXiv: "1608.03983",
		Title: "SGDR: Stochastic Gradient Descent with Warm Restarts", In: "International Conference on Learning Representations (ICLR)",
	},
	"polyak1964momentum": {
		Type: "article", Authors: people("Polyak, B. T."), Year: 1964, DOI: "10.1016/0041-5553(64)90137-5",
		Title: "Some methods of speeding up the convergence of iteration methods",
		In:    "USSR Computational Mathematics and Mathematical Physics", Volume: "4", Number: "5", Pages: "1-17",
	},
	"polyak1963gradient": {
		Type: "article", Authors: people("Polyak, B. T."), Year: 1963, DOI: "10.1016/0041-5553(63)90382-3",
		Title: "Gradient methods for the minimisation of functionals",
		In:    "USSR Computational Mathematics and Mathematical Physics", Volume: "3", Number: "4", Pages: "864-878",
	},
	"sutskever2013momentum": {
		Type: "inproceedings", Authors: people("Sutskever, Ilya", "Martens, James", "Dahl, George", "Hinton, Geoffrey"), Year: 2013,
		Title: "On the importance of initialization and momentum in deep learning", In: "International Conference on Machine Learning (ICML)",
		URL: "https://proceedings.mlr.press/v28/sutskever13.html",
	},
	"robbins1951stochastic": {
		Type: "article", Authors: people("Robbins, Herbert", "Monro, Sutton"), Year: 1951, DOI: "10.1214/aoms/1177729586",
		Title: "A Stochastic Approximation Method", In: "The Annals of Mathematical Statistics", Volume: "22", Number: "3", Pages: "400-407",
	},
	"bernstein2018signsgd": {
		Type: "inproceedings", Authors: people("Bernstein, Jeremy", "Wang, Yu-Xiang", "Azizzadenesheli, Kamyar", "Anandkumar, Animashree"), Year: 2018, ArXiv: "1802.04434",
		Title: "signSGD: Compressed Optimisation for Non-Convex Problems", In: "International Conference on Machine Learning (ICML)", Pages: "560-569",
	},
	"chen2023lion": {
		Type: "inproceedings", Year: 2023, ArXiv: "2302.06675",
		Authors: people("Chen, Xiangning", "Liang, Chen", "Huang, Da", "Real, Esteban", "Wang, Kaiyuan", "Pham, Hieu", "Dong, Xuanyi", "Luong, Thang", "Hsieh, Cho-Jui", "Lu, Yifeng", "Le, Quoc V."),
		Title:   "Symbolic Discovery of Optimization Algorithms", In: "Advances in Neural Information Processing Systems (NeurIPS)",
	},
	"jordan2024muon": {
		Type: "misc", Year: 2024, URL: "https://kellerjordan.github.io/posts/muon/",
		Authors: people("Jordan, Keller", "Jin, Yuchen", "Boza, Vlado", "You, Jiacheng", "Cesista, Franz", "Newhouse, Laker", "Bernstein, Jeremy"),
		Title:   "Muon: An optimizer for hidden layers in neural networks",
	},
	"levenberg1944method": {
		Type: "article", Authors: people("Levenberg, Kenneth"), Year: 1944, DOI: "10.1090/qam/10666",
		Title: "A method for the solution of certain non-linear problems in least squares",
		In:    "Quarterly of Applied Mathematics", Volume: "2", Number: "2", Pages: "164-168",
	},
	"marquardt1963algorithm": {
		Type: "article", Authors: people("Marquardt, Donald W."), Year: 1963, DOI: "10.1137/0111030",
		Title: "An Algorithm for Least-Squares Estimation of Nonlinear Parameters",
		In:    "Journal of the Society for Industrial and Applied Mathematics", Volume: "11", Number: "2", Pages: "431-441",
	},
	"armijo1966minimization": {
		Type: "article", Authors: people("Armijo, Larry"), Year: 1966, DOI: "10.2140/pjm.1966.16.1",
		Title: "Minimization of functions having Lipschitz continuous first partial derivatives",
		In:    "Pacific Journal of Mathematics", Volume: "16", Number: "1", Pages: "1-3",
	},
	"jacot2018ntk": {
		Type: "inproceedings", Authors: people("Jacot, Arthur", "Gabriel, Franck", "Hongler, Clément"), Year: 2018, ArXiv: "1806.07572",
		Title: "Neural Tangent Kernel: Convergence and Generalization in Neural Networks", In: "Advances in Neural Information Processing Systems (NeurIPS)",
	},
	"yang2021feature": {
		Type: "inproceedings", Authors: people("Yang, Greg", "Hu, Edward J."), Year: 2021, ArXiv: "2011.14522",
		Title: "Feature Learning in Infinite-Width Neural Networks", In: "International Conference on Machine Learning (ICML)",
	},
	"yang2023tensor": {
		Type: "misc", Authors: people("Yang, Greg", "Yu, Dingli", "Zhu, Chen", "Hayou, Soufiane"), Year: 2023, ArXiv: "2310.02244",
		Title: "Tensor Programs VI: Feature Learning in Infinite-Depth Neural Networks",
	},
	"dey2025completep": {
		Type: "misc", Year: 2025, ArXiv: "2505.01618", Authors: people("Dey, Nolan", "others"),
		Title: "Don't be lazy: CompleteP enables compute-efficient deep transformers",
	},
	"alpaydin1998digits": {
		Type: "misc", Authors: people("Alpaydin, E.", "Kaynak, C."), Year: 1998, DOI: "10.24432/C50P49",
		Title: "Optical Recognition of Handwritten Digits", In: "UCI Machine Learning Repository",
	},
	"efron2004least": {
		Type: "article", Authors: people("Efron, Bradley", "Hastie, Trevor", "Johnstone, Iain", "Tibshirani, Robert"), Year: 2004, DOI: "10.1214/009053604000000067",
		Title: "Least angle regression", In: "The Annals of Statistics", Volume: "32", Number: "2", Pages: "407-499",
	},
	"lecun1998gradient": {
		Type: "article", Authors: people("LeCun, Yann", "Bottou, Léon", "Bengio, Yoshua", "Haffner, Patrick"), Year: 1998, DOI: "10.1109/5.726791",
		Title: "Gradient-based learning applied to document recognition", In: "Proceedings of the IEEE", Volume: "86", Number: "11", Pages: "2278-2324",
	},
	"xiao2017fashion": {
		Type: "misc", Authors: people("Xiao, Han", "Rasul, Kashif", "Vollgraf, Roland"), Year: 2017, ArXiv: "1708.07747",
		Title: "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
	},
	"korepanov2018pvar": {
		Type: "misc", Authors: people("Korepanov, Alexey", "Lyons, Terry"), Year: 2018, URL: "https://github.com/khumarahn/p-var",
		Title: "p-var",
	},
	"istas1997quadratic": {
		Type: "article", Authors: people("Istas, Jacques", "Lang, Gabriel"), Year: 1997, DOI: "10.1016/S0246-0203(97)80099-4",
		Title: "Quadratic variations and estimation of the local Hölder index of a Gaussian process",
		In:    "Annales de l'Institut Henri Poincaré (B) Probability and Statistics", Volume: "33", Number: "4", Pages: "407-436",
	},
	"kent1997estimating": {
		Type: "article", Authors: people("Kent, John T.", "Wood, Andrew T. A."), Year: 1997, DOI: "10.1111/1467-9868.00091",
		Title: "Estimating the Fractal Dimension of a Locally Self-similar Gaussian Process by using Increments",
		In:    "Journal of the Royal Statistical Society: Series B", Volume: "59", Number: "3", Pages: "679-699",
	},
	"student1908probable": {
		Type: "article", Authors: people("Student"), Year: 1908, DOI: "10.1093/biomet/6.1.1",
		Title: "The Probable Error of a Mean", In: "Biometrika", Volume: "6", Number: "1", Pages: "1-25",
	},
	"richardson1911approximate": {
		Type: "article", Authors: people("Richardson, Lewis Fry"), Year: 1911, DOI: "10.1098/rsta.1911.0009",
		Title: "The approximate arithmetical solution by finite differences of physical problems involving differential equations, with an application to the stresses in a masonry dam",
		In:    "Philosophical Transactions of the Royal Society of London. Series A", Volume: "210", Pages: "307-357",
	},
	"wu2000thick": {
		Type: "article", Authors: people("Wu, Kesheng", "Simon, Horst"), Year: 2000, DOI: "10.1137/S0895479898334605",
		Title: "Thick-Restart Lanczos Method for Large Symmetric Eigenvalue Problems",
		In:    "SIAM Journal on Matrix Analysis and Applications", Volume: "22", Number: "2", Pages: "602-616",
	},
	"pearlmutter1994fast": {
		Type: "article", Authors: people("Pearlmutter, Barak A."), Year: 1994, DOI: "10.1162/neco.1994.6.1.147",
		Title: "Fast Exact Multiplication by the Hessian", In: "Neural Computation", Volume: "6", Number: "1", Pages: "147-160",
	},
	"haber2018stable": {
		Type: "article", Authors: people("Haber, Eldad", "Ruthotto, Lars"), Year: 2018, DOI: "10.1088/1361-6420/aa9a90", ArXiv: "1705.03341",
		Title: "Stable architectures for deep neural networks", In: "Inverse Problems", Volume: "34", Number: "1", Pages: "014004",
	},
	"chang2018multilevel": {
		Type: "inproceedings", Authors: people("Chang, Bo", "Meng, Lili", "Haber, Eldad", "Tung, Frederick", "Begert, David"), Year: 2018, ArXiv: "1710.10348",
		Title: "Multi-level Residual Networks from Dynamical Systems View", In: "International Conference on Learning Representations (ICLR)",
	},
	"zhang2019rms": {
		Type: "inproceedings", Authors: people("Zhang, Biao", "Sennrich, Rico"), Year: 2019, ArXiv: "1910.07467",
		Title: "Root Mean Square Layer Normalization", In: "Advances in Neural Information Processing Systems (NeurIPS)",
	},
	"ba2016layer": {
		Type: "misc", Authors: people("Ba, Jimmy Lei", "Kiros, Jamie Ryan", "Hinton, Geoffrey E."), Year: 2016, ArXiv: "1607.06450", Title: "Layer Normalization",
	},
	"hendrycks2016gelu": {
		Type: "misc", Authors: people("Hendrycks, Dan", "Gimpel, Kevin"), Year: 2016, ArXiv: "1606.08415", Title: "Gaussian Error Linear Units (GELUs)",
	},
	"davies1987hurst": {
		Type: "article", Authors: people("Davies, R. B.", "Harte, D. S."), Year: 1987, DOI: "10.1093/biomet/74.1.95",
		Title: "Tests for Hurst effect", In: "Biometrika", Volume: "74", Number: "1", Pages: "95-101",
	},
}

func people(names ...string) []string { return names }

// byValue says which works a value of a field of run.json asks for, and what of the study is theirs.
var byValue = []struct {
	path, value string
	about       string
	keys        []string
}{
	{"train.method", "sgd", "method sgd", people("robbins1951stochastic")},
	{"train.method", "momentum", "method momentum", people("polyak1964momentum")},
	{"train.method", "nesterov", "method nesterov", people("sutskever2013momentum")},
	{"train.method", "adam", "method adam", people("kingma2015adam")},
	{"train.method", "adamw", "method adamw", people("loshchilov2019decoupled", "kingma2015adam")},
	{"train.method", "sign", "method sign", people("bernstein2018signsgd")},
	{"train.method", "lion", "method lion", people("chen2023lion")},
	{"train.method", "muon", "method muon, with adam for what is no matrix", people("jordan2024muon", "kingma2015adam")},
	{"train.method", "levenberg-marquardt", "method levenberg-marquardt", people("levenberg1944method", "marquardt1963algorithm")},
	{"train.step.rule", "armijo", "step rule armijo", people("armijo1966minimization")},
	{"train.step.schedule", "cosine", "schedule cosine", people("loshchilov2017sgdr")},
	{"train.parametrisation", "ntk", "parametrisation ntk", people("jacot2018ntk")},
	{"train.parametrisation", "mup", "parametrisation mup", people("yang2021feature")},
	{"train.parametrisation", "depth-mup", "parametrisation depth-mup", people("yang2023tensor")},
	{"train.parametrisation", "complete-p", "parametrisation complete-p", people("dey2025completep")},
	{"network.activation", "gelu", "activation gelu", people("hendrycks2016gelu")},
	{"network.norm", "rms", "rms norm", people("zhang2019rms")},
	{"network.norm", "layer", "layer norm", people("ba2016layer")},
	{"data.kind", "digits", "data digits", people("alpaydin1998digits")},
	{"data.kind", "diabetes", "data diabetes", people("efron2004least")},
	{"data.kind", "mnist", "data mnist", people("lecun1998gradient")},
	{"data.kind", "fashion-mnist", "data fashion-mnist", people("xiao2017fashion")},
}
